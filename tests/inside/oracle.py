"""Answer what sd-scripts makes of a training's arguments: one JSON list of words in, one JSON object out, a line each.

Usage: python oracle.py CHECKOUT

The parser, the blueprint, the datasets and the count of batches are the checkout's own code. The step counts
stand inside its ``train`` function, which cannot be called without a model; the statements are found there and run.
"""

import contextlib
import inspect
import io
import json
import logging
import math
import os
import re
import sys
from types import SimpleNamespace


def main(checkout):
    sys.path.insert(0, checkout)
    os.environ["HF_HUB_OFFLINE"] = "1"
    import train_network
    from library import config_util, train_util

    logging.disable(logging.CRITICAL)
    statements = step_statements(inspect.getsource(train_network.NetworkTrainer.train))
    for line in sys.stdin:
        with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
            answer = ask(json.loads(line), train_network, config_util, train_util, statements)
        print(json.dumps(answer), flush=True)


def step_statements(source):
    """Find the trainer's own lines for max_train_steps and num_train_epochs, in their order."""
    total = re.search(r"args\.max_train_steps = (args\.max_train_epochs \* math\.ceil\((?:.|\n)*?\n\s+\))", source)
    per_epoch = re.search(r"num_update_steps_per_epoch = (math\.ceil\(.*\))", source)
    epochs = re.search(r"num_train_epochs = (math\.ceil\(.*\))", source)
    return [re.sub(r"\s+", " ", found[1]) for found in (total, per_epoch, epochs) if found]


def ask(argv, train_network, config_util, train_util, statements):
    args = train_network.setup_parser().parse_args(argv)
    train_util.prepare_dataset_args(args, True)
    config = config_util.load_user_config(str(args.dataset_config))
    sanitizer = config_util.ConfigSanitizer(True, True, args.masked_loss, True)
    blueprint = config_util.BlueprintGenerator(sanitizer).generate(config, args)
    group, _ = config_util.generate_dataset_group_by_blueprint(blueprint.dataset_group)
    images, buckets = [], []
    for dataset in group.datasets:
        dataset.verify_bucket_reso_steps(64)
        images += [[i.absolute_path, i.caption, i.num_repeats, list(i.image_size)] for i in dataset.image_data.values()]
        manager = dataset.bucket_manager
        buckets += [[*reso, len(bucket)] for reso, bucket in zip(manager.resos, manager.buckets) if bucket]
    names = {
        "args": args,
        "math": math,
        "len": len,
        "accelerator": SimpleNamespace(num_processes=1),
        "train_dataloader": range(len(group)),
    }
    total, per_epoch, epochs = statements
    if args.max_train_epochs is not None:
        args.max_train_steps = eval(total, names)
    names["num_update_steps_per_epoch"] = eval(per_epoch, names)
    return {
        "images": images,
        "buckets": sorted(buckets),
        "batches": len(group),
        "steps": args.max_train_steps,
        "epochs": eval(epochs, names),
    }


if __name__ == "__main__":
    main(sys.argv[1])

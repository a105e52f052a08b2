"""Build trainings' optimizers and schedulers by the trainer's own functions; take some steps with a tiny network.

Usage: python optimizer.py SCRIPT < ARGVS, where SCRIPT is the checkout's train_network.py or sdxl_train_network.py,
and ARGVS a JSON list of what each training gets after it, with the steps of its course as --max_train_steps. The last
line is a JSON list of: "error" (null, or its type and message), "warnings" of the trainer, and "groups" of weights:
"what" they are of, "lr" (null: the optimizer finds its own), and "peak", the most that it comes to. No GPU is used.
"""

import importlib
import json
import logging.handlers
import os
import re
import sys
from unittest.mock import MagicMock


def english(text):
    """Take off the Japanese half of a message, and addresses."""
    return re.sub(r" / .*[^\x00-\x7f].*| at 0x\w+", "", text, flags=re.DOTALL).strip()


def networked(torch, args, encoders):
    """Make a network as train() does, on modules of the classes it looks for; give it and a function of a loss."""

    def module(name, layer):
        return type(name, (torch.nn.Sequential,), {})(layer)

    # so wide that bitsandbytes keeps eight bits of its states
    blocks = module("Transformer2DModel", torch.nn.Linear(4096, 8)), module("ResnetBlock2D", torch.nn.Conv2d(8, 8, 3))
    unet, texts = torch.nn.ModuleList(blocks), [module("CLIPMLP", torch.nn.Linear(4096, 8)) for _ in range(encoders)]
    options = {"dropout": args.network_dropout, **dict(word.split("=", 1) for word in args.network_args or [])}
    network = importlib.import_module(args.network_module).create_network(
        *(1.0, args.network_dim, args.network_alpha, None, texts if encoders > 1 else texts[0], unet),
        **{"neuron_dropout": args.network_dropout, **options},
    )
    network.apply_to(texts, unet, not args.network_train_unet_only, True)

    def loss():
        words, picture = torch.randn(2, 4, 4096), torch.randn(2, 8, 4, 4)
        outputs = [blocks[1](picture), *(module(words) for module in [blocks[0], *texts])]
        # modules that are dropped out have no part in it
        return sum(out.square().mean() for out in outputs) + 0 * sum(p.sum() for p in network.parameters())

    return network.train(), loss


def tried(script, argv):
    """Do all that train() does with its optimizer, in its order; give the groups."""
    import torch
    from accelerate import Accelerator
    from library import train_util

    def refuse(message):  # argparse would exit
        raise ValueError(message)

    parser, sdxl = script.setup_parser(), hasattr(script, "SdxlNetworkTrainer")
    parser.error = refuse
    args = parser.parse_args(argv)
    train_util.verify_training_args(args)
    trainer = (script.SdxlNetworkTrainer if sdxl else script.NetworkTrainer)()
    trainer.assert_extra_args(args, MagicMock(), None)
    torch.manual_seed(args.seed or 0)
    network, loss = networked(torch, args, 2 if sdxl else 1)
    asked = (args.text_encoder_lr or [None])[0], args.unet_lr, args.learning_rate
    groups, names = network.prepare_optimizer_params(*asked)
    parameters, (_, _, optimizer) = list(network.parameters()), train_util.get_optimizer(args, groups)
    rates = [group["lr"] for group in optimizer.param_groups]
    if sum(len(group["params"]) for group in optimizer.param_groups) < len(parameters):
        raise ValueError("some weights have a rate of 0 and are not trained")
    course = train_util.get_scheduler_fix(args, optimizer, 1)
    optimizer, scheduler = Accelerator(cpu=True).prepare(optimizer, course)
    for _ in range(3):  # a warm-up's first has a rate of 0, which hides what is wrong with the rates
        loss().backward()
        if args.max_grad_norm:
            torch.nn.utils.clip_grad_norm_(parameters, args.max_grad_norm)
        optimizer.step()
        scheduler.step()
        trainer.generate_step_logs(args, 0.0, 0.0, scheduler, names, optimizer)
        optimizer.zero_grad(set_to_none=True)
    peaks = rates
    if None not in rates and hasattr(course, "lr_lambdas"):  # else, the optimizer has a course of its own
        total, warm = args.max_train_steps, int(args.lr_warmup_steps)
        steps = {*range(0, total, max(1, total // 999)), min(warm, total), total}
        peaks = [rate * max(map(factor, steps)) for rate, factor in zip(rates, course.lr_lambdas)]  # noqa: B905
    return [{"what": name, "lr": rate, "peak": peak} for name, rate, peak in zip(names, rates, peaks)]  # noqa: B905


def result(script, argv):
    """Try one training, and say what happened."""
    groups, error, heard = [], None, logging.handlers.BufferingHandler(10**6)
    heard.setLevel("WARNING")
    logging.root.addHandler(heard)
    try:
        groups = tried(script, argv)
    except (Exception, SystemExit) as fault:
        error = "missing library: " * isinstance(fault, ImportError) + type(fault).__name__ + ": " + english(str(fault))
    logging.root.removeHandler(heard)
    warnings = list(dict.fromkeys(english(record.getMessage()) for record in heard.buffer))
    return {"error": error, "warnings": warnings, "groups": groups}


if __name__ == "__main__":
    os.environ.update(HF_HUB_OFFLINE="1", TRANSFORMERS_OFFLINE="1", CUDA_VISIBLE_DEVICES="")
    answer, argvs = os.fdopen(os.dup(1), "w", encoding="utf-8"), json.load(sys.stdin)
    os.dup2(2, 1)  # libraries print too
    sys.path.insert(0, os.path.dirname(os.path.abspath(sys.argv[1])))
    script = importlib.import_module(os.path.splitext(os.path.basename(sys.argv[1]))[0])
    print(json.dumps([result(script, argv) for argv in argvs]), file=answer, flush=True)

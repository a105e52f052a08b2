"""Say, as JSON, which torch this environment has and which GPUs it sees. Runs inside the trainer's environment."""

from __future__ import annotations

import json

import torch

count = torch.cuda.device_count() if torch.cuda.is_available() else 0
gpus = [[torch.cuda.get_device_name(n), torch.cuda.get_device_properties(n).total_memory] for n in range(count)]
print(json.dumps({"version": torch.__version__, "cuda": torch.version.cuda, "gpus": gpus}))

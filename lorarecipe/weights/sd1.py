"""Numbers of every SD1 checkpoint, which sd-scripts takes from nowhere but its own code."""

from __future__ import annotations

#: sd-scripts multiplies every SD1 latent by it, whatever the checkpoint's configuration says
LATENT_SCALE = 0.18215
#: the noise that SD1 was trained with, in diffusers' words; sd-scripts does not read the folder's own either
NOISE_SCHEDULE = {
    "beta_start": 0.00085,
    "beta_end": 0.012,
    "beta_schedule": "scaled_linear",
    "num_train_timesteps": 1000,
}

"""Scripts that tests run inside the trainer's environment."""

"""Scripts that run inside the trainer's environment: Python 3.10-clean, with no dependency of ours.

They are started by path, never imported from here.
"""

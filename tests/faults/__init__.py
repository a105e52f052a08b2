"""Every way in which a run may be cut short, and what must be true afterwards."""

"""The method's claims, measured in the demo's world."""

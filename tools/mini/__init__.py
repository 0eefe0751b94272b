"""Training and measuring the built-in picture model; nothing of this runs inside dam."""

"""Copies and near-copies among the assets: found, shown, and decided about by people only."""

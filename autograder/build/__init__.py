"""From `solutions/` to `labs/`: read the sources, expand them, release them."""

"""Drawing the overlay: the page picture with its regions."""

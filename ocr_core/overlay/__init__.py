"""What an overlay is made of: fonts, places for labels, the panel of text."""

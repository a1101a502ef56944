"""From words to text: reading order, layout and error rates."""

"""From words to text: reading order, layout and measures of text."""

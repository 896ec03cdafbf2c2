"""Generated cases for `explain`: layers, formulas with known mistakes, and what each one is worth."""

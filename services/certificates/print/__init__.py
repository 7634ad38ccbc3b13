"""What stands on a printed sheet: its words, its boxes, the form (``form.typ``) and the fonts that are shipped."""

"""NIR graphs: the field's exchange format."""

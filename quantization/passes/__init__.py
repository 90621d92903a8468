"""Graph passes, one rewrite a file, named as the field names them."""

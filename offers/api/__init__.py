"""The doors of `offers`: translate, one call, translate back."""

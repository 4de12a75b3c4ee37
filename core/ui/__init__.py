"""Widgets, forms and live charts that the screens share."""

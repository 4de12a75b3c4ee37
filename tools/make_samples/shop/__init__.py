"""The questions and answers about the invented shop: one sheet of facts, each asked in five ways."""

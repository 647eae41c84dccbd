"""For translators: what there is to translate, what is translated, and the lessons built from both."""

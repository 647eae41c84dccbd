"""The lessons as slides, with speaker notes: as files that open anywhere, and live with widgets that answer."""

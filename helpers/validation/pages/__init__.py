"""Published Learn pages: reads one, follows its Python as a reader would, and says what is wrong, by file and line.

``markdown`` reads, ``program`` puts the code blocks together, ``trial`` runs them against the sandbox in a process of their
own (``runner``, ``instrument``, ``standin``, ``guard`` live there), ``checks`` and ``transcript`` judge, ``report`` and
``baseline`` present. ``drift`` compares a page with the lessons.
"""

from __future__ import annotations

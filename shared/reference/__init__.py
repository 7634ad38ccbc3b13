"""Reference data: the lists a certificate chooses from (countries, units, packages, transport, documents, commodities).

The one thing to remember: every list is a file in `data/` whose first lines say where it comes from, under which
licence and of which date; the modules beside it only read it, once, when first asked.
"""

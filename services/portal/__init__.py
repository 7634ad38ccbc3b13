"""The web site. It owns no data: it asks the four services over HTTP and lays their answers out as pages.

Every page works without JavaScript; htmx only makes it quicker. The portal never meets the engine.
"""

# The optional value cache: history and dry runs need it.
import os

description = 'value cache on loopback'
group = 'special'

devices = dict(
    DB = device('nicos.services.cache.database.FlatfileCacheDatabase',
        storepath = os.path.join(os.environ['PATCHBAY_NICOS_DIR'], 'cachedb'),
    ),
    Server = device('nicos.services.cache.server.CacheServer',
        server = os.environ.get('PATCHBAY_NICOS_CACHE', '127.0.0.1:14869'),
        db = 'DB',
    ),
)

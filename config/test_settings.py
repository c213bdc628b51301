"""Settings of the test suite: the same, without a pool, with cheap passwords and a channel layer in memory."""

import os

os.environ.setdefault("SECRET_KEY", "a-key-for-tests-only-and-nothing-else-0123456789-0123456789")
os.environ.setdefault("HTTPS", "0")

from config.settings import *
from config.settings import DATABASES

_options = DATABASES["default"]["OPTIONS"]
_options.pop("pool", None)
_options["options"] = (
    f"{_options.get('options', '')} -c synchronous_commit=off".strip()
)  # for speed; what is lost is a test's
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
CHANNEL_LAYERS = {"default": {"BACKEND": "channels.layers.InMemoryChannelLayer"}}
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.InMemoryStorage"},
    "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
}
WHITENOISE_AUTOREFRESH = True  # looks for files when asked, not for the folder that collectstatic makes

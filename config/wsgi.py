"""The web server's entry point."""

from __future__ import annotations

import gc
import os

from django.core.wsgi import get_wsgi_application
from django.urls import get_resolver

from config.celery import app as celery

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
application = get_wsgi_application()
get_resolver().url_patterns  # noqa: B018 imports all views before the first request, which would wait for it
# So would the first decision for what sends a message.
_ = celery.amqp.router, celery.events.Dispatcher, celery.connection_for_write().transport
# What is loaded now stays, so the collector need not look through it again and again while people wait.
gc.collect()
gc.freeze()

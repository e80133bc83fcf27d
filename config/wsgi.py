"""The web server's entry point."""

from __future__ import annotations

import gc
import os
import sys

from django.core.wsgi import get_wsgi_application
from django.urls import get_resolver

from config.celery import app as celery
from config.templates import compile_templates

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
application = get_wsgi_application()
get_resolver().url_patterns  # noqa: B018 imports all views before the first request, which would wait for it
# So would the first decision for what sends a message.
_ = celery.amqp.router, celery.events.Dispatcher, celery.connection_for_write().transport
compile_templates()
# A decision waits for a thread that computes after each of its statements: let that be one millisecond, not five.
sys.setswitchinterval(0.001)
# What is loaded now stays, so the collector need not look through it again and again while people wait.
gc.collect()
gc.freeze()

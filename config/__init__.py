"""The composition root: settings, addresses, the Celery app and the services that Loupe can start by itself."""

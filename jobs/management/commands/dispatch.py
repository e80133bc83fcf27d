from __future__ import annotations

import signal
import threading
from typing import Any

from django.core.management.base import BaseCommand

from jobs import dispatcher


class Command(BaseCommand):
    help = "Tell workers which jobs need them, for as long as it runs. One per installation is enough; more do no harm."

    def handle(self, *args: Any, **options: Any) -> None:
        stop = threading.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: stop.set())
        dispatcher.run(stop)

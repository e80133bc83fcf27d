"""The permission of a REST view that names none: nobody may call it, so a forgotten line opens nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rest_framework.permissions import BasePermission
from rest_framework.request import Request

if TYPE_CHECKING:  # the REST framework reads its settings, and so this module, while it makes APIView
    from rest_framework.views import APIView


class Undeclared(BasePermission):
    message = "This call does not say who may use it."

    def has_permission(self, request: Request, view: APIView) -> bool:
        return False

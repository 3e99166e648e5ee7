"""The app of people: users, roles, API tokens, sign-in."""

from django.apps import AppConfig


class PeopleConfig(AppConfig):
    """People: the bottom room, which imports no other."""

    name = "people"

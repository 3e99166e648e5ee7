"""The app of people: users, roles, API tokens, sign-in."""

from django.apps import AppConfig
from django.contrib.admin import apps as admin_apps


class PeopleConfig(AppConfig):
    """People: the bottom room, which imports no other."""

    name = "people"
    default = True


class AdminConfig(admin_apps.AdminConfig):
    """Django's admin, on a site that asks for the second factor."""

    default = False
    default_site = "people.admin_site.OncallAdminSite"

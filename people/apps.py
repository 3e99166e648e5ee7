"""Django app for users, roles, API tokens and sign-in."""

from django.apps import AppConfig
from django.contrib.admin import apps as admin_apps


class PeopleConfig(AppConfig):
    """Configuration of the people app, which depends only on `common`."""

    name = "people"
    verbose_name = "People"
    default = True


class AdminConfig(admin_apps.AdminConfig):
    """Django's admin with the project's admin site."""

    default = False
    default_site = "people.admin_site.OncallAdminSite"

"""The WSGI application that gunicorn serves."""

import os

from django.core.wsgi import get_wsgi_application

from common.call_stack import with_deep_stack

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "oncall_site.settings")

application = with_deep_stack(get_wsgi_application())

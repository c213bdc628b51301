"""Django's settings, one module per topic."""

from config.settings.admin import *
from config.settings.apps import *
from config.settings.base import *
from config.settings.channels import *
from config.settings.database import *
from config.settings.lanes import *
from config.settings.logging import *
from config.settings.mail import *
from config.settings.push import *
from config.settings.rayon import *
from config.settings.rest import *
from config.settings.security import *

"""Commands by chat: what is understood and answered is pure, only bot.py speaks to a service."""

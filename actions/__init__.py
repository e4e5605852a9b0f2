"""The example bot's custom actions: orders, reminders, feedback, files, carts, stores and the care window of a small web shop.

`rasa run actions` finds every action class in this package.
"""

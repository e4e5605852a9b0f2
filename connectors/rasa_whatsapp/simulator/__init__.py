"""The other side of the wire: WhatsApp, Meta's Graph API and the customers' phones, on this machine.

The simulator is a stranger: it imports nothing from the rest of the package and holds its own opinion of the API,
so that it can disagree with the connector. Reading order: app (what is wired to what), graph_routes and graph (what
a business may ask), kinds (what each message must look like), media_routes and media (files), phones, composing and
happenings (what the customers do), statuses, webhooks and deliveries (what the bot is told), control_routes and
customer_routes (how a page or a test drives all of it).
"""

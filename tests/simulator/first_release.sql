-- A database as the first release left it: one business number, no media, a message half-way to the customer.
create table keep (name text primary key, value text not null);
create table customers (wa_id text primary key, user_id text not null unique, value text not null);
create table messages (
  seq integer primary key, id text not null unique, wa_id text not null, direction text not null,
  status text not null, value text not null);
create index messages_of_customer on messages (wa_id, seq);
create index messages_under_way on messages (status) where status in ('accepted', 'sent');
create table requests (id integer primary key, value text not null);
create table deliveries (
  id integer primary key, wa_id text, body blob not null, attempts integer not null default 0,
  last_status integer, last_error text, delivered integer not null default 0, created_at real not null);
create index deliveries_pending on deliveries (id) where delivered = 0;
create view shown_deliveries as
  select id, attempts, last_status, last_error, delivered, created_at, body from deliveries;
insert into keep values ('clock_offset_seconds', '0.0');
insert into customers values ('4915112345678', 'DE.Lea1', '{"wa_id": "4915112345678", "name": "Lea", "user_id": "DE.Lea1", "username": null, "hide_number": false, "reads_at_once": false, "marketing": "resume", "last_message_at": 1795341600}');
insert into customers values ('4915187654321', 'DE.Max1', '{"wa_id": "4915187654321", "name": "Max", "user_id": "DE.Max1", "username": null, "hide_number": false, "reads_at_once": false, "marketing": "resume", "last_message_at": null}');
insert into messages values (1, 'wamid.hi', '4915112345678', 'in', 'delivered', '{"id": "wamid.hi", "wa_id": "4915112345678", "direction": "in", "at": 1795341600.0, "type": "text", "bubble": {"text": "Hi \ud83d", "buttons": []}, "payload": {"type": "text", "text": {"body": "Hi \ud83d"}}, "status": "delivered", "errors": [], "callback_data": null, "to_user_id": false, "pricing": null}');
insert into messages values (2, 'wamid.under-way', '4915112345678', 'out', 'accepted', '{"id": "wamid.under-way", "wa_id": "4915112345678", "direction": "out", "at": 1795341601.0, "type": "text", "bubble": {"text": "Hello", "buttons": []}, "payload": {"type": "text", "text": {"body": "Hello"}}, "status": "accepted", "errors": [], "callback_data": null, "to_user_id": false, "pricing": null}');

-- Support tickets as they come in: what the tour and the README work on.
CREATE TABLE IF NOT EXISTS tickets (
	id integer PRIMARY KEY,
	customer text NOT NULL,
	body text NOT NULL,
	summary text
);
INSERT INTO tickets (id, customer, body) VALUES
	(1, 'anna.k@example.com',
		'I was charged twice for my October subscription, once on the 3rd and again on the 5th. Please refund one of the two payments of 29.00 EUR.'),
	(2, 'm.osei@example.org',
		'Since the update on Monday the app closes as soon as I open the camera. Phone: Pixel 8, Android 15. Reinstalling did not help.'),
	(3, 'lena@example.net',
		'My parcel 00340434161094 has been in the depot in Leipzig for nine days. The tracking page says it will arrive tomorrow, every day.'),
	(4, 'pierre.d@example.fr',
		'I cannot sign in any more: the reset mail never arrives, and yes, I looked into the spam folder. My colleague got hers within a minute.'),
	(5, 'ops@brightco.example',
		'Webhook deliveries to our endpoint fail with ''certificate has expired'', but our certificate is valid until March. Did you change your trust store?'),
	(6, 'jdoe@example.com',
		'Just wanted to say that your support person Marta was wonderful on the phone today. She solved in five minutes what I had fought with for a week.'),
	(7, 'h.suzuki@example.jp',
		'The invoice for September shows 19% tax although we are a company in Japan. Our tax id is on file. Please send a corrected invoice.'),
	(8, 'kim@example.org',
		'The box arrived open and the glass shelf inside is broken. I have photos. I would rather have a new shelf than my money back.'),
	(9, 't.ivanova@example.com',
		'Please delete my account and all my data. I have asked twice already and only got an automatic answer.'),
	(10, 'devnull@example.net',
		'Export to CSV writes dates as 11/03/2026 for some rows and 2026-03-11 for others, so our import cannot tell which is which.'),
	(11, 'carla@example.it',
		'I cancelled in August and you still take 9.99 every month. My bank says I should dispute it, but I wanted to ask you first.'),
	(12, 'r.patel@example.in',
		'Search returns nothing for words with an apostrophe, such as O''Brien. It worked last week.')
ON CONFLICT DO NOTHING;

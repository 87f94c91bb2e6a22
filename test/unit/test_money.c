/* Picodollars: sums that are exact, and unknown where they cannot be. */
#include "tap.h"
#include "util/money.h"

static void
is_money(int64_t got, int64_t expected, const char *name)
{
	if (!ok(got == expected, "%s", name))
		printf("#      got: %lld\n# expected: %lld\n", (long long) got, (long long) expected);
}

static void
reads(const char *text, int decimals, AiMoneyFault fault, int64_t expected)
{
	int64_t		money = 1;

	ok(ai_money_parse(text, decimals, &money) == fault, "\"%s\" with %d decimals: fault %d", text, decimals, fault);
	is_money(money, fault == AI_MONEY_FITS ? expected : AI_MONEY_UNKNOWN, text);
}

static void
writes(int64_t money, const char *expected)
{
	char		space[AI_MONEY_TEXT];
	int64_t		again;

	is_string(ai_money_format(money, space), expected, expected ? expected : "unknown has no text");
	if (expected != NULL)
		ok(ai_money_parse(expected, AI_MONEY_DECIMALS, &again) == AI_MONEY_FITS && again == money, "%s reads back", expected);
}

/* A million calls of uneven tokens against the sum worked out in 128 bits. */
static void
test_million_calls(void)
{
	static const int64_t prices[] = {1, 75000, 300000, 2500000, 10000000, 15000000};
	__int128	exact = 0;
	int64_t		sum = 0;

	for (int i = 0; i < 1000000; i++)
	{
		int64_t		tokens = (int64_t) i * 7919 % 100003;
		int64_t		price = prices[i % 6];

		sum = ai_money_add(sum, ai_money_of_tokens(tokens, price));
		exact += (__int128) tokens * price;
	}
	ok((__int128) sum == exact, "a million calls add up to the last digit");
}

int
main(void)
{
	is_money(ai_money_of_tokens(1000, 3000000), 3000000000, "1,000 tokens at 3 USD per million");
	is_money(ai_money_of_tokens(0, AI_MONEY_UNKNOWN), 0, "no tokens at an unknown price cost nothing");
	is_money(ai_money_of_tokens(-1, 5), 0, "tokens that are not known are not counted");
	is_money(ai_money_of_tokens(1, AI_MONEY_UNKNOWN), AI_MONEY_UNKNOWN, "one at an unknown price is unknown");
	is_money(ai_money_of_tokens(5, 0), 0, "a price of 0 is known");
	is_money(ai_money_of_tokens(2, INT64_MAX / 2), INT64_MAX - 1, "the largest product");
	is_money(ai_money_of_tokens(3, INT64_MAX / 2), AI_MONEY_UNKNOWN, "beyond it nothing wraps");
	is_money(ai_money_of_tokens(INT64_MAX, INT64_MAX), AI_MONEY_UNKNOWN, "nor far beyond it");
	is_money(ai_money_add(1, 2), 3, "a sum");
	is_money(ai_money_add(-5, 2), -3, "a sum below zero");
	is_money(ai_money_add(INT64_MAX - 1, 1), INT64_MAX, "the largest sum");
	is_money(ai_money_add(INT64_MAX, 1), AI_MONEY_UNKNOWN, "beyond it nothing wraps");
	is_money(ai_money_add(INT64_MIN + 1, -5), AI_MONEY_UNKNOWN, "nor below the least");
	is_money(ai_money_add(AI_MONEY_UNKNOWN, 1), AI_MONEY_UNKNOWN, "unknown and known");
	is_money(ai_money_add(1, AI_MONEY_UNKNOWN), AI_MONEY_UNKNOWN, "known and unknown");
	is_money(ai_money_add(AI_MONEY_UNKNOWN, AI_MONEY_UNKNOWN), AI_MONEY_UNKNOWN, "unknown twice");
	test_million_calls();

	reads("0", 6, AI_MONEY_FITS, 0);
	reads("3", 6, AI_MONEY_FITS, 3000000);
	reads("0.075", 6, AI_MONEY_FITS, 75000);
	reads("2.500000", 6, AI_MONEY_FITS, 2500000);
	reads("2.5000000000000000000000000000", 6, AI_MONEY_FITS, 2500000);
	reads("0.000001", 6, AI_MONEY_FITS, 1);
	reads("0.0000001", 6, AI_MONEY_TOO_FINE, 0);
	reads("0.0000010000000000000000000001", 6, AI_MONEY_TOO_FINE, 0);
	reads("9223372036854.775807", 6, AI_MONEY_FITS, INT64_MAX);
	reads("-9223372036854.775807", 6, AI_MONEY_FITS, -INT64_MAX);
	reads("9223372036854.775808", 6, AI_MONEY_TOO_LARGE, 0);
	reads("-9223372036854.775808", 6, AI_MONEY_TOO_LARGE, 0);
	reads("9223372036855", 6, AI_MONEY_TOO_LARGE, 0);
	reads("18446744073709.551616", 6, AI_MONEY_TOO_LARGE, 0);
	reads("100000000000000000000000000000000000000000", 6, AI_MONEY_TOO_LARGE, 0);
	reads("100000000000000000000000000000000000000000.0000001", 6, AI_MONEY_TOO_LARGE, 0);
	reads("-1", 6, AI_MONEY_FITS, -1000000);
	reads("0.005085", 12, AI_MONEY_FITS, 5085000000);
	reads("", 6, AI_MONEY_NOT_A_NUMBER, 0);
	reads("-", 6, AI_MONEY_NOT_A_NUMBER, 0);
	reads(".5", 6, AI_MONEY_NOT_A_NUMBER, 0);
	reads("5.", 6, AI_MONEY_NOT_A_NUMBER, 0);
	reads("1e3", 6, AI_MONEY_NOT_A_NUMBER, 0);
	reads("1 ", 6, AI_MONEY_NOT_A_NUMBER, 0);
	reads("NaN", 6, AI_MONEY_NOT_A_NUMBER, 0);
	reads("Infinity", 6, AI_MONEY_NOT_A_NUMBER, 0);

	writes(0, "0");
	writes(1, "0.000000000001");
	writes(-1, "-0.000000000001");
	writes(5085000000, "0.005085");
	writes(1000000000000, "1");
	writes(10000000000000, "10");
	writes(1500000000000, "1.5");
	writes(INT64_MAX, "9223372.036854775807");
	writes(-INT64_MAX, "-9223372.036854775807");
	writes(AI_MONEY_UNKNOWN, NULL);
	return done_testing();
}

/*
 * tap.h
 *	  Test results in the Test Anything Protocol, for the unit tests of the pure
 *	  code.  Each test program includes it once.
 */
#ifndef TAP_H
#define TAP_H

#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

static int	tap_count = 0;
static int	tap_failed = 0;

__attribute__((format(printf, 2, 3))) static inline bool
ok(bool good, const char *format,...)
{
	va_list		args;

	printf("%sok %d - ", good ? "" : "not ", ++tap_count);
	va_start(args, format);
	vprintf(format, args);
	va_end(args);
	putchar('\n');
	if (!good)
		tap_failed++;
	return good;
}

static inline bool
is_string(const char *got, const char *expected, const char *name)
{
	bool		good = got && expected ? strcmp(got, expected) == 0 : got == expected;

	if (!ok(good, "%s", name))
		printf("#      got: %s\n# expected: %s\n", got ? got : "(null)", expected ? expected : "(null)");
	return good;
}

static inline bool
is_number(double got, double expected, const char *name)
{
	bool		good = got == expected;

	if (!ok(good, "%s", name))
		printf("#      got: %.17g\n# expected: %.17g\n", got, expected);
	return good;
}

static inline int
done_testing(void)
{
	printf("1..%d\n", tap_count);
	return tap_failed != 0;
}

#endif							/* TAP_H */

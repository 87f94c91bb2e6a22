/*
 * wait.h
 *	  How long to wait, as servers write it: dates of HTTP, durations, and those
 *	  within a sentence.  Pure.
 *
 * Units: milliseconds, < 0 for none.  A wait of more than AI_WAIT_CAP_MS is none: no
 * quota lasts that long, so it is a clock or a unit that is wrong.
 */
#ifndef AI_WAIT_H
#define AI_WAIT_H

#include <stdint.h>

#define AI_WAIT_CAP_MS		(31.0 * 86400 * 1000)

/* The wait if it is one: more than nothing, and no more than the cap. */
extern double ai_wait_usable(double ms);

/*
 * "120ms", "6s", "1m3.89s", "25 seconds", "2 minutes and 5 seconds", "04:12:33".
 * A number without a unit is none.
 */
extern double ai_wait_duration(const char *text);

/* The duration behind "try again in", "retry after" and their like. */
extern double ai_wait_in_text(const char *text);

/*
 * A date in each form of RFC 9110, section 5.6.7, as seconds since 1970; < 0 if it
 * is none.  `now` tells the century of a year of two digits.
 */
extern int64_t ai_http_date(const char *text, int64_t now);

#endif							/* AI_WAIT_H */

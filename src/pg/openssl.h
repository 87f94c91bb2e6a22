/*
 * openssl.h
 *	  The cryptography of util/crypto.h, as the server has it.
 */
#ifndef AI_OPENSSL_H
#define AI_OPENSSL_H

#include "util/crypto.h"

extern const AiCrypto ai_crypto;

#endif							/* AI_OPENSSL_H */

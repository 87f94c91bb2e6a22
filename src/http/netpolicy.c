/*
 * netpolicy.c
 *	  Which addresses may be connected to.
 *
 * It is asked about the resolved address, just before connecting, so a name
 * that resolves differently the second time (DNS rebinding) gains nothing.
 * Link-local, metadata and other private addresses are refused unless the host
 * is listed by name or the address by network in ai_gateway.allowed_hosts.
 * Loopback is fine; a proxy is the DBA's own word.
 *
 * This runs inside libcurl: no palloc, no ereport.
 */
#include "postgres.h"

#include "http/transfer.h"
#include "pg/guc.h"
#include "util/url.h"

bool
ai_net_allows(AiReach reach, const struct sockaddr *address)
{
	AiAddressClass class = ai_address_class(address);
	bool		proxied = ai_guc_proxy && ai_guc_proxy[0] != '\0';

	if (reach == AI_REACH_ANY || reach == AI_REACH_METADATA)
		return true;
	if (class == AI_ADDRESS_LOOPBACK)
		return true;
	if (reach == AI_REACH_LOOPBACK)
		return false;
	return proxied || class == AI_ADDRESS_PUBLIC ||
		ai_address_listed(ai_guc_allowed_hosts, address);
}

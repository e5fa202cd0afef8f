/* The words of a rule's signal in the text form of sites (support_site.h). */
#ifndef RG_TESTS_SUPPORT_SIGNAL_H
#define RG_TESTS_SUPPORT_SIGNAL_H

#include <stdbool.h>

#include "model/site_rule.h"

/* False: no word of a signal, or a value that is none. */
bool support_signal_word(struct site_signal *signal, const char *key, const char *value);

#endif

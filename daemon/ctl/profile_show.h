/* A profile for people and for other programs. */
#ifndef RG_CTL_PROFILE_SHOW_H
#define RG_CTL_PROFILE_SHOW_H

#include <stdio.h>

#include "base/json_write.h"
#include "config/profile.h"

/* The whole register map of the one device of a config that was loaded by config_load_profile without errors. */
void profile_show(const struct config *config, FILE *to);
/* name, maker, device, reads: members of an object that is open. */
void profile_write_head(const struct profile *profile, struct jsonw *w);
/* All of it as a JSON object, vectors too. What the profile asks for is as its first vector gives it. */
void profile_write_json(const struct config *config, struct jsonw *w);

#endif

/* A change of one alarm's level, as a state machine of this folder decides it. */
#ifndef RG_RULES_MOVE_H
#define RG_RULES_MOVE_H

#include "model/level.h"
#include "model/moment.h"

struct level_move {
    enum level was, now; /* never equal; LEVEL_NONE: no alarm */
    struct moment at;    /* the instant the rule gives */
};

#endif

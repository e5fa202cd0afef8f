/* Read by cppcheck only: what it cannot find out of macros from headers that it does not read. */
#define cJSON_ArrayForEach(element, array)                                                                   \
    for (element = (array)->child; element != 0; element = element->next)

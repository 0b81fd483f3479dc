/* One object of an archive: is it what its path says, and what it tells of the site. */
#ifndef SALVOR_RANCHER_OBJECT_SURVEY_H
#define SALVOR_RANCHER_OBJECT_SURVEY_H

#include "archive-survey.h"

/* member->json is there. number: in survey->index. shown: its path for messages. */
salvor_status object_survey_take(salvor_call *call, const struct archive_member *member,
                                 uint32_t number, const char *shown, struct archive_survey *survey);

#endif

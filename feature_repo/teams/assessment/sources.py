from ethogram import Source, event, reference

# The same assumption as the teaching team's: J starts on 1 October of its year, B on 1 February.
start = "make_date(integer(substring(code_presentation, 1, 4)), if(ends_with(code_presentation, 'J'), 10, 2), 1)"

oulad_submissions = Source(
    "oulad_submissions",
    dataset="oulad",
    rows="student_assessment.parquet",
    contract="contracts/sources/oulad_submissions.yaml",
    brief="Assessments handed in, on days from the assumed start; without scores, which came later, nobody says when.",
    time="add_days(" + start + ", date_submitted)",
    known_after="1d",
    channel="vle",
    joins=[
        reference(
            "assessments.parquet",
            on=["id_assessment"],
            columns=["code_module", "code_presentation", "assessment_type", "date", "weight"],
        ),
    ],
    events=[
        event(
            "learning.assessment_submitted",
            enrolment="concat(code_module, '_', code_presentation, '_', text(id_student))",
            student="id_student",
            assessment_id="text(id_assessment)",
            kind="assessment_type",
            weight="weight",
            banked="is_banked = 1",
            # A banked result bears day -1, before the start: that says nothing of how early it was handed in.
            days_early="if(is_banked = 1, null, date - date_submitted)",
        ),
    ],
)

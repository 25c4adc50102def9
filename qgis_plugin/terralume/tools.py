"""Tools beside the pictures."""

from __future__ import annotations

import json
from typing import Any

from qgis.core import QgsProcessingOutputNumber, QgsProcessingOutputString

from .base import tr
from .files import errors_for_processing
from .live import PictureAlgorithm

GROUP = ("tools", "Tools")


class PlanAlgorithm(PictureAlgorithm):
    """How a run would be divided."""

    NAME, TITLE, GROUP = "plan", "Plan of a run", GROUP
    SUMMARY = "Checks input and parameters and says how a run would be divided and what it takes, without running it."
    TAGS = "memory tiles dry run check"

    def add_outputs(self) -> None:
        for name in ("TILES", "RADIUS", "THREADS", "MEMORY", "OUTPUT_BYTES"):
            self.addOutput(QgsProcessingOutputNumber(name, tr(name.replace("_", " ").capitalize())))
        self.addOutput(QgsProcessingOutputString("PLAN", tr("Plan as JSON")))

    def processAlgorithm(self, parameters: dict[str, Any], context: Any, feedback: Any) -> dict[str, Any]:
        self.warn_of_unknown(parameters, feedback)
        with errors_for_processing():
            plan = self.plan(parameters, context, self.pictures(parameters, context))
        for name, value in plan.items():
            if name not in ("pictures", "steps"):
                feedback.pushInfo(f"{name}: {value}")
        for step in plan["steps"]:
            feedback.pushInfo(step)
        numbers = {item.name(): plan[item.name().lower()] for item in self.outputDefinitions()
                   if isinstance(item, QgsProcessingOutputNumber)}
        return {**numbers, "PLAN": json.dumps(plan)}

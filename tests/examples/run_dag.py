"""Runs the DAG of examples/airflow in this process, as `airflow dags test` does.

Usage: run_dag.py FOLDER-OF-THE-DAG; connections come from the environment. Its last line is JSON.
"""

import json
import subprocess
import sys

subprocess.run(["airflow", "db", "migrate"], check=True, stdout=sys.stderr)
sys.path.insert(0, sys.argv[1])

from batchway_dag import dag  # noqa: E402  (the database is there first)

run = dag.test()
tasks = run.get_task_instances()
print(
    json.dumps(
        {
            "state": str(run.state),
            "tasks": {task.task_id: str(task.state) for task in tasks},
            "jobArn": next(task for task in tasks if task.task_id == "create").xcom_pull("create"),
            "runId": run.run_id,
        }
    )
)

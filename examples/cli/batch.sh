#!/bin/sh
# One batch job with the AWS CLI: batch.sh FILE.jsonl MODEL s3://BUCKET/PREFIX
# Endpoints, region and key come from the environment, see README.md.
set -eu
file=$1 model=$2 place=${3%/}
name=$(basename "$file")

aws s3 cp --only-show-errors "$file" "$place/input/$name"

arn=$(aws bedrock create-model-invocation-job \
  --job-name from-the-command-line \
  --model-id "$model" \
  --role-arn "${ROLE_ARN:-arn:aws:iam::123456789012:role/BatchRole}" \
  --input-data-config "s3InputDataConfig={s3Uri=$place/input/$name}" \
  --output-data-config "s3OutputDataConfig={s3Uri=$place/output/}" \
  --query jobArn --output text)

while :; do
  status=$(aws bedrock get-model-invocation-job --job-identifier "$arn" \
    --query status --output text)
  echo "$status" >&2
  case $status in
    Completed) break ;;
    PartiallyCompleted | Failed | Stopped | Expired)
      aws bedrock get-model-invocation-job --job-identifier "$arn" --query message --output text >&2
      exit 1 ;;
  esac
  sleep "${POLL_SECONDS:-30}"
done

aws s3 cp --only-show-errors "$place/output/${arn##*/}/$name.out" -

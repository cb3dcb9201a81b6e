// Drives minio-go against a gateway: `minio ENDPOINT BUCKET FOLDER BACK`. It puts every file of FOLDER
// under in/, heads and lists them, gets them into BACK, copies, and removes what it made. What it saw
// is one JSON text on standard output.
package main

import (
	"context"
	"encoding/json"
	"io"
	"log"
	"os"
	"path/filepath"

	"github.com/minio/minio-go/v7"
	"github.com/minio/minio-go/v7/pkg/credentials"
)

type seen struct {
	// Sizes by key, as PutObject, StatObject and ListObjects tell them.
	Put    map[string]int64 `json:"put"`
	Stat   map[string]int64 `json:"stat"`
	Listed map[string]int64 `json:"listed"`
	// The same ETag from all three.
	SameETag bool `json:"sameETag"`
	// Errors of reading back, by key.
	GetErrors map[string]string `json:"getErrors"`
	// Bytes from an offset on, of the largest object.
	Range string `json:"range"`
	// The size of a copy, after its source is gone.
	Copied int64 `json:"copied"`
	// Errors of RemoveObjects, and what is left after it.
	RemoveErrors []string `json:"removeErrors"`
	Left         []string `json:"left"`
	// The code of the error for a key that is not there.
	Missing string `json:"missing"`
}

func check(err error) {
	if err != nil {
		log.Fatalf("%T: %v", err, err)
	}
}

func list(client *minio.Client, bucket string) []minio.ObjectInfo {
	objects := []minio.ObjectInfo{}
	options := minio.ListObjectsOptions{Recursive: true}
	for object := range client.ListObjects(context.Background(), bucket, options) {
		check(object.Err)
		objects = append(objects, object)
	}
	return objects
}

func main() {
	endpoint, bucket, folder, back := os.Args[1], os.Args[2], os.Args[3], os.Args[4]
	ctx := context.Background()
	client, err := minio.New(endpoint, &minio.Options{
		Creds:  credentials.NewStaticV4("any-key", "any-secret", ""),
		Region: "us-west-2",
	})
	check(err)
	result := seen{
		Put: map[string]int64{}, Stat: map[string]int64{}, Listed: map[string]int64{},
		GetErrors: map[string]string{}, SameETag: true, RemoveErrors: []string{}, Left: []string{},
	}

	files, err := os.ReadDir(folder)
	check(err)
	etags := map[string]string{}
	// The largest goes in parts.
	options := minio.PutObjectOptions{PartSize: 5 << 20, NumThreads: 3}
	largest := ""
	for _, file := range files {
		key := "in/" + file.Name()
		path := filepath.Join(folder, file.Name())
		put, err := client.FPutObject(ctx, bucket, key, path, options)
		check(err)
		result.Put[key] = put.Size
		etags[key] = put.ETag
		if largest == "" || put.Size > result.Put[largest] {
			largest = key
		}
	}
	for key, etag := range etags {
		stat, err := client.StatObject(ctx, bucket, key, minio.StatObjectOptions{})
		check(err)
		result.Stat[key] = stat.Size
		result.SameETag = result.SameETag && stat.ETag == etag
	}
	for _, object := range list(client, bucket) {
		result.Listed[object.Key] = object.Size
		result.SameETag = result.SameETag && object.ETag == etags[object.Key]
	}

	for key := range etags {
		path := filepath.Join(back, filepath.Base(key))
		if err := client.FGetObject(ctx, bucket, key, path, minio.GetObjectOptions{}); err != nil {
			result.GetErrors[key] = err.Error()
		}
	}
	if len(result.GetErrors) == 0 {
		object, err := client.GetObject(ctx, bucket, largest, minio.GetObjectOptions{})
		check(err)
		_, err = object.Seek(-4, io.SeekEnd)
		check(err)
		bytes, err := io.ReadAll(object)
		check(err)
		check(object.Close())
		result.Range = string(bytes)
	}

	source := minio.CopySrcOptions{Bucket: bucket, Object: largest}
	target := minio.CopyDestOptions{Bucket: bucket, Object: "copies/a +b.jsonl"}
	_, err = client.CopyObject(ctx, target, source)
	check(err)
	check(client.RemoveObject(ctx, bucket, largest, minio.RemoveObjectOptions{}))
	stat, err := client.StatObject(ctx, bucket, target.Object, minio.StatObjectOptions{})
	check(err)
	result.Copied = stat.Size

	_, err = client.StatObject(ctx, bucket, largest, minio.StatObjectOptions{})
	result.Missing = minio.ToErrorResponse(err).Code

	gone := make(chan minio.ObjectInfo, 1000)
	for _, object := range list(client, bucket) {
		gone <- object
	}
	close(gone)
	for failed := range client.RemoveObjects(ctx, bucket, gone, minio.RemoveObjectsOptions{}) {
		result.RemoveErrors = append(result.RemoveErrors, failed.Err.Error())
	}
	for _, object := range list(client, bucket) {
		result.Left = append(result.Left, object.Key)
	}
	check(json.NewEncoder(os.Stdout).Encode(result))
}
